"""The manifests, compose.yaml, the Dockerfile and the Procfile are valid, and agree with each other and the code."""

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from celery import current_app
from django.conf import settings
from django.db import connection

from api.management.configuration import read
from config import celery_app  # noqa: F401  with the tasks of the actions
from tests.unit.reports import ledger
from tests.unit.reports.plans import group

ROOT: Path = settings.BASE_DIR
KUBERNETES = ROOT / "deploy" / "kubernetes"
FILES = sorted(file for file in KUBERNETES.rglob("*.yaml") if file.name != "kustomization.yaml")
KUSTOMIZATIONS = sorted(KUBERNETES.rglob("kustomization.yaml"))
VERSIONS = ("1.30", "1.37")  # the oldest that is promised, and the newest that the schemas know
KEDA = {"ScaledObject", "TriggerAuthentication"}
READ_BY_OTHERS = {"GRANIAN_BACKPRESSURE", "MALLOC_ARENA_MAX", "PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROCFILE = (ROOT / "Procfile").read_text()


def name_of(file: Path) -> str:
    return str(file.relative_to(KUBERNETES))


def documents(*files: Path) -> list[Any]:
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


def find(kind: str, name: str = "") -> Any:
    [found] = [d for d in documents(*FILES) if d["kind"] == kind and name in ("", d["metadata"]["name"])]
    return found


def pods() -> list[Any]:
    return [d["spec"]["template"] for d in documents(*FILES) if "template" in d.get("spec", {})]


def containers(pod: Any) -> list[Any]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def validate(document: Any) -> None:
    if document["kind"] in KEDA:
        # The models leave out in silence what they do not know: what comes back must be what was given.
        # To import them takes two seconds, which every test process would pay to collect this module.
        models = import_module("cloudcoil.models.keda.v1alpha1")
        model = getattr(models, document["kind"]).model_validate(document)
        assert model.model_dump(mode="json", by_alias=True, exclude_unset=True) == document
    else:
        for version in VERSIONS:
            kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_each_manifest_is_valid(file):
    for document in documents(file):
        validate(document)


def test_a_misspelt_field_is_not():
    misspelt = yaml.safe_load(yaml.safe_dump(find("ScaledObject")).replace("pollingInterval", "pollInterval"))
    with pytest.raises(AssertionError):
        validate(misspelt)
    misspelt = yaml.safe_load(yaml.safe_dump(find("Job")).replace("backoffLimit", "backoffLimits"))
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(misspelt)


@pytest.mark.parametrize("file", KUSTOMIZATIONS, ids=name_of)
def test_each_kustomization_has_all_that_is_in_its_folder(file):
    [kustomization] = documents(file)
    beside = {other.name for other in file.parent.glob("*.yaml")} - {file.name}
    named = {name for name in kustomization["resources"] if name.endswith(".yaml")}
    assert named == beside
    for name in set(kustomization["resources"]) - named:
        assert (file.parent / name / "kustomization.yaml").exists(), name


@pytest.mark.parametrize("folder", ["overlays/slow-queue", "overlays/slow-queue/workers"])
def test_the_patches_of_one_more_queue_change_what_is_there(folder):
    [kustomization] = documents(KUBERNETES / folder / "kustomization.yaml")
    for patch in kustomization["patches"]:
        target = find(patch["target"]["kind"], patch["target"].get("name", ""))
        for change in yaml.safe_load(patch["patch"]):
            place = target
            for step in change["path"].strip("/").split("/"):
                place = place[int(step) if step.isdecimal() else step]
            assert (change["op"], type(change["value"])) == ("replace", type(place))


def test_one_more_queue_is_taken_from_and_scaled_by_itself():
    patches = documents(KUBERNETES / "overlays/slow-queue/workers/kustomization.yaml")[0]["patches"]
    assert "--queues=slow" in str(patches)
    [others] = documents(KUBERNETES / "overlays/slow-queue/kustomization.yaml")[0]["patches"]
    name, _, value = others["target"]["labelSelector"].partition("=")
    assert find("ScaledObject")["metadata"]["labels"][name] == value


def test_what_kustomize_makes_of_it_is_valid():
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed, and in no package registry; the files themselves are tested without it.")
    for folder, deployments in (("base", 2), ("overlays/slow-queue", 3)):
        made = subprocess.run(
            ["kubectl", "kustomize", KUBERNETES / folder], capture_output=True, text=True, check=True, timeout=60
        )
        rendered = list(yaml.safe_load_all(made.stdout))
        for document in rendered:
            validate(document)
        assert [document["kind"] for document in rendered].count("Deployment") == deployments
        assert "registry.example.com/async-actions:0.1.0" in made.stdout
        queries = {
            document["metadata"]["name"]: document["spec"]["triggers"][0]["metadata"]["query"]
            for document in rendered
            if document["kind"] == "ScaledObject"
        }
        assert len(queries) == deployments - 1
        if folder != "base":
            assert "task NOT IN ('reports.render')" in queries["async-actions-worker"]
            assert "task IN ('reports.render')" in queries["async-actions-worker-slow"]


def test_compose_yaml_is_valid():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout


def test_every_variable_that_they_set_is_read():
    known = {v.name for section in read(ROOT / "config" / "settings.py") for v in section.variables} | READ_BY_OTHERS
    stated = set(find("ConfigMap")["data"])
    stated |= {entry["name"] for pod in pods() for container in containers(pod) for entry in container.get("env", [])}
    stated |= set(COMPOSE["x-service"]["environment"])
    stated |= set(re.findall(r"(\w+)=", " ".join(re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE))))
    assert stated - known == set()
    assert {"ALLOWED_HOSTS", "SECRET_KEY", "VAR_DIR"} <= stated


def test_no_secret_is_among_them():
    assert "Secret" not in [document["kind"] for document in documents(*FILES)]
    assert not re.search(r"://\w*:[^@\s$]+@", "".join(file.read_text() for file in FILES))
    assert {"SECRET_KEY", "DATABASE_URL", "BROKER_URL", "REDIS_URL"}.isdisjoint(find("ConfigMap")["data"])


def test_no_image_is_whichever_is_the_latest():
    images = [container["image"] for pod in pods() for container in containers(pod)]
    images += [service["image"] for service in COMPOSE["services"].values() if "build" not in service]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    for image in images:
        assert re.fullmatch(r"[a-z0-9./-]+:[0-9][\w.-]*", image), image


def test_they_have_time_to_end():
    longest = max(task.time_limit or 0 for task in current_app.tasks.values())
    web, worker = find("Deployment", "async-actions-web"), find("Deployment", "async-actions-worker")
    assert worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > longest
    assert COMPOSE["services"]["worker"]["stop_grace_period"] == "5m"
    assert longest < 5 * 60
    [drain] = re.findall(r'"--workers-kill-timeout", "(\d+)"', DOCKERFILE)
    [container] = web["spec"]["template"]["spec"]["containers"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert web["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > pause + int(drain)
    assert int(COMPOSE["services"]["web"]["stop_grace_period"].removesuffix("s")) > int(drain)


def test_the_ports_match():
    [exposed] = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert f'"--port", "{exposed}"' in DOCKERFILE
    assert COMPOSE["services"]["web"]["ports"] == [f"${{BIND:-127.0.0.1}}:${{PORT:-8000}}:{exposed}"]
    web = find("Deployment", "async-actions-web")["spec"]["template"]["spec"]["containers"][0]
    assert web["ports"] == [{"name": "http", "containerPort": int(exposed)}]
    assert find("Service")["spec"]["ports"][0]["targetPort"] == "http"
    probes = [web[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert [(probe["path"], probe["port"]) for probe in probes] == [
        ("/health/live", "http"),
        ("/health/live", "http"),
        ("/health/serving", "http"),
    ]
    hosts = find("ConfigMap")["data"]["ALLOWED_HOSTS"].split(",")
    assert {header["value"] for probe in probes for header in probe["httpHeaders"]} <= set(hosts)
    policies = [document["spec"] for document in documents(*FILES) if document["kind"] == "NetworkPolicy"]
    assert [policy["ingress"] for policy in policies if "ingress" in policy] == [
        [{"ports": [{"port": "http"}]}],
        [{"ports": [{"port": "metrics"}]}],
    ]


def test_workers_show_their_metrics_where_they_are_looked_for():
    port = int(find("ConfigMap")["data"]["METRICS_WORKER_ADDRESS"].rpartition(":")[2])
    worker = find("Deployment", "async-actions-worker")["spec"]["template"]["spec"]["containers"][0]
    assert worker["ports"] == [{"name": "metrics", "containerPort": port}]
    assert "--from-literal=METRICS_TOKEN=" in (ROOT / "docs" / "deploying.md").read_text()
    assert COMPOSE["x-service"]["environment"]["METRICS_WORKER_ADDRESS"] == f"${{METRICS_TOKEN:+0.0.0.0:{port}}}"


def test_a_worker_s_pulse_is_felt_where_the_worker_writes_it():
    [folder] = re.findall(r"VAR_DIR=(\S+)", DOCKERFILE)
    worker = find("Deployment", "async-actions-worker")["spec"]["template"]["spec"]["containers"][0]
    for probe in ("startupProbe", "livenessProbe"):
        assert f"{folder}/worker.pulse" in " ".join(worker[probe]["exec"]["command"])
    assert {"name": "tmp", "mountPath": folder} in worker["volumeMounts"]


def test_every_pod_has_the_least_rights():
    [user] = re.findall(r"useradd --uid (\d+)", DOCKERFILE)
    assert len(pods()) == 3
    for pod in pods():
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"]
        assert security["runAsUser"] == security["runAsGroup"] == int(user)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["spec"]["serviceAccountName"] == find("ServiceAccount")["metadata"]["name"]
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_whoever_refers_to_something_means_what_is_there():
    there = {(document["kind"], document["metadata"]["name"]) for document in documents(*FILES)}
    for document in documents(*FILES):
        spec = document.get("spec", {})
        target = spec.get("scaleTargetRef")
        assert target is None or ("Deployment", target["name"]) in there
        selector = spec.get("selector", spec.get("podSelector", {}))
        labels = selector.get("matchLabels", selector)
        assert not labels or any(labels.items() <= pod["metadata"]["labels"].items() for pod in pods()), document
    assert not find("ServiceAccount")["automountServiceAccountToken"]


@pytest.mark.django_db
def test_workers_are_scaled_by_the_tasks_that_want_one():
    if connection.vendor != "postgresql":
        pytest.skip("KEDA asks PostgreSQL.")
    whole = find("ScaledObject")["spec"]["triggers"][0]["metadata"]["query"]
    slow, others = query_patched_in("overlays/slow-queue/workers"), query_patched_in("overlays/slow-queue")
    assert re.sub(r" AND task NOT IN \('reports.render'\)", "", others) == whole
    ledger.accept(group("a", "b", "reports.render"), "c")
    ledger.accept("d")
    ledger.put_off("d", delay=ledger.LONG)
    ledger.claim("a")
    with connection.cursor() as cursor:
        numbers = [cursor.execute(query).fetchone() for query in (whole, slow, others)]
        assert numbers == [(3,), (1,), (2,)]  # neither what waits for its turn, nor for its time
        ledger.claim("reports.render")
        numbers = [cursor.execute(query).fetchone() for query in (whole, slow, others)]
        assert numbers == [(3,), (1,), (2,)]  # what runs keeps a place
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        for query in (whole, others):
            plan = "\n".join(row[0] for row in cursor.execute(f"EXPLAIN {query}").fetchall())
            assert {"report_due", "report_running"} <= set(re.findall(r"using (\w+)", plan)), plan


def query_patched_in(folder: str) -> str:
    [query] = [
        change["value"]
        for patch in documents(KUBERNETES / folder / "kustomization.yaml")[0]["patches"]
        for change in yaml.safe_load(patch["patch"])
        if change["path"].endswith("/query")
    ]
    return query
