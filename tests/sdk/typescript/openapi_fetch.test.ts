// The types of openapi-typescript, generated from openapi.yaml, and openapi-fetch drive the live service.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import createClient from "openapi-fetch";

import type { components, paths } from "./async-actions/schema";

type SyncInvoicesReport = components["schemas"]["SyncInvoicesReport"];

const api = createClient<paths>({
  baseUrl: process.env.SERVICE_URL ?? "",
  headers: { Authorization: `Bearer ${process.env.SERVICE_TOKEN}` },
});
const ADA: components["schemas"]["SyncInvoicesRequest"] = { customer_id: "cus_ada" };

test("an action is asked for, waited for, and its typed result read", async () => {
  const { data, response } = await api.POST("/actions/sync-invoices", {
    body: ADA,
    params: { header: { Prefer: "wait=20" } },
  });

  assert.equal(response.status, 200);
  assert(data?.kind === "action");
  const name: "sync-invoices" = data.action;
  const stored: number | undefined = data.result?.stored;
  assert.deepEqual([name, data.status, stored], ["sync-invoices", "ok", 3]);
  const { data: read } = await api.GET("/reports/{report_id}", { params: { path: { report_id: data.id } } });
  assert.deepEqual(read, data);
});

test("a repeated request has the report that it had", async () => {
  const params = { header: { "Idempotency-Key": randomUUID() } };
  const first = await api.POST("/actions/sync-invoices", { body: ADA, params });
  const again = await api.POST("/actions/sync-invoices", { body: ADA, params });

  assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
  assert.equal(again.response.headers.get("Location"), first.response.headers.get("Location"));
});

test("a problem is typed", async () => {
  const { error, response } = await api.POST("/actions/sync-invoices", { body: { customer_id: "no spaces" } });

  const problem: components["schemas"]["Problem"] | undefined = error;
  assert.deepEqual([response.status, problem?.code], [422, "parameters_invalid"]);
  assert.equal(problem?.errors?.[0]?.pointer, "#/customer_id");
});

test("a report is waited for, and not read again", async () => {
  const accepted = await api.POST("/actions/sync-invoices", { body: ADA });
  const path = { report_id: (accepted.data as SyncInvoicesReport).id };
  const { data, response } = await api.GET("/reports/{report_id}", { params: { path, header: { Prefer: "wait=20" } } });

  assert.deepEqual([response.status, data?.status], [200, "ok"]);
  const header = { "If-None-Match": response.headers.get("ETag") ?? "" };
  const again = await api.GET("/reports/{report_id}", { params: { path, header } });
  assert.equal(again.response.status, 304);
});

test("an action is cancelled and retried", async () => {
  const accepted = await api.POST("/actions/sync-invoices", { body: ADA, params: { query: { delay: 3600 } } });
  const report = accepted.data as SyncInvoicesReport;
  const params = { path: { report_id: report.id } };

  assert.equal((await api.POST("/reports/{report_id}/cancel", { params })).data?.status, "cancelled");
  assert.equal((await api.POST("/reports/{report_id}/cancel", { params })).error?.code, "report_final");
  assert.equal((await api.POST("/reports/{report_id}/retry", { params })).response.status, 202);
});

test("reports and their tasks are listed", async () => {
  const { data } = await api.GET("/reports", { params: { query: { action: "sync-invoices", limit: 1 } } });

  const [report] = data?.items ?? [];
  assert(report);
  const tasks = await api.GET("/reports/{report_id}/tasks", { params: { path: { report_id: report.id } } });
  assert.deepEqual(tasks.data?.items.map((task) => task.kind), ["task", "task"]);
});

test("many are asked for at once", async () => {
  const { data } = await api.POST("/actions/sync-invoices/batch", {
    body: { requests: [{ parameters: ADA }, { parameters: { customer_id: "no spaces" } }], atomic: false },
  });

  assert.deepEqual([data?.refused, data?.items.map((item) => item.status)], [1, [202, 422]]);
});
