// An SDK of @hey-api/openapi-ts, generated from openapi.yaml, drives the live service.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import * as sdk from "./async-actions";
import { client } from "./async-actions/client.gen";
import { waitFor } from "./wait_for";

client.setConfig({ baseUrl: process.env.SERVICE_URL, auth: () => process.env.SERVICE_TOKEN });

const ADA: sdk.SyncInvoicesRequest = { customer_id: "cus_ada" };

async function ask(body = ADA, query: sdk.SyncInvoicesData["query"] = {}): Promise<sdk.SyncInvoicesReport> {
  const { data } = await sdk.syncInvoices({ body, query, throwOnError: true });
  assert(data.kind === "action");
  return data;
}

test("an action is asked for, waited for, and its typed result read", async () => {
  const { data, response } = await sdk.syncInvoices({ body: ADA });
  assert.equal(response?.status, 202);
  assert(data?.kind === "action");
  assert.equal(response.headers.get("Location"), data.links.self);
  // Constants of the types: another name does not compile.
  const name: "sync-invoices" = data.action;
  assert.equal(name, "sync-invoices");

  const report = await waitFor(data);

  assert.equal(report.status, "ok");
  assert.equal(report.parameters.customer_id, "cus_ada");
  const stored: number | undefined = report.result?.stored;
  assert.equal(stored, 3);
  assert.deepEqual(report.result?.totals, { EUR: "3.03", USD: "3.03" });
});

test("a failed action says why, in a type of its own", async () => {
  const report = await waitFor(await ask({ customer_id: "cus_nobody" }));

  const error: sdk.SyncInvoicesError | null = report.error;
  assert.deepEqual([report.status, error?.code, error?.retryable], ["failed", "customer_not_found", false]);
});

test("a repeated request has the report that it had", async () => {
  const headers = { "Idempotency-Key": randomUUID() };
  const first = await sdk.syncInvoices({ body: ADA, headers });
  const again = await sdk.syncInvoices({ body: ADA, headers });

  assert.equal(again.response?.headers.get("Idempotent-Replayed"), "true");
  assert.equal(again.response?.headers.get("Location"), first.response?.headers.get("Location"));
  const reused = await sdk.syncInvoices({ body: { customer_id: "cus_bob" }, headers });
  assert.deepEqual([reused.response?.status, reused.error?.code], [422, "idempotency_key_reused"]);
});

test("a problem is typed, and thrown where that is asked for", async () => {
  const { error, response } = await sdk.syncInvoices({ body: { customer_id: "no spaces" } });

  const problem: sdk.Problem | undefined = error;
  assert.deepEqual([response?.status, problem?.code], [422, "parameters_invalid"]);
  assert.equal(problem?.errors?.[0]?.pointer, "#/customer_id");
  await assert.rejects(
    sdk.getReport({ path: { report_id: randomUUID() }, throwOnError: true }),
    (thrown: sdk.Problem) => thrown.code === "report_not_found",
  );
});

test("a request is waited for, and one is tried out", async () => {
  const waited = await sdk.syncInvoices({ body: ADA, headers: { Prefer: "wait=20" } });
  assert(waited.data?.kind === "action");
  assert.deepEqual([waited.response?.status, waited.data.status], [200, "ok"]);

  const tried = await sdk.syncInvoices({ body: ADA, query: { validate_only: true } });
  assert(tried.data?.kind === "validation");
  assert.equal(tried.data.tasks, 2);
});

test("a report is waited for, and not read again", async () => {
  const path = { report_id: (await ask()).id };
  const { data, response } = await sdk.getReport({ path, headers: { Prefer: "wait=20" } });

  assert.deepEqual([response?.status, data?.status], [200, "ok"]);
  assert.equal(response?.headers.get("Preference-Applied"), "wait=20");
  const again = await sdk.getReport({ path, headers: { "If-None-Match": response?.headers.get("ETag") ?? "" } });
  assert.equal(again.response?.status, 304);
});

test("the changes of a report are heard of", async () => {
  const { id } = await ask(ADA, { delay: 1 });
  const { stream } = await sdk.watchReport({ path: { report_id: id } });
  const heard: sdk.SyncInvoicesReport[] = [];
  for await (const event of stream) {
    heard.push(event as sdk.SyncInvoicesReport);
    if (heard.at(-1)?.status === "ok") break;
  }

  assert.equal(heard[0]?.status, "pending");
  assert.equal(heard.at(-1)?.result?.stored, 3);
});

test("an action is cancelled and retried", async () => {
  const report = await ask(ADA, { delay: 3600 });
  const path = { report_id: report.id };

  assert.equal((await sdk.cancelReport({ path })).data?.status, "cancelled");
  assert.equal((await sdk.cancelReport({ path })).error?.code, "report_final");
  const retried = await sdk.retryReport({ path });

  assert.equal(retried.response?.status, 202);
  assert.equal((await waitFor(report)).status, "ok");
});

test("reports and their tasks are listed page by page", async () => {
  const expected = [await ask(), await ask(), await ask()].map((report) => report.id).reverse();
  const listed: string[] = [];
  let cursor: string | null | undefined;
  do {
    const { data } = await sdk.listReports({ query: { limit: 2, ...(cursor ? { cursor } : {}) }, throwOnError: true });
    listed.push(...data.items.map((report) => report.id));
    cursor = data.next_cursor;
  } while (cursor && listed.length < expected.length);

  assert.deepEqual(listed.slice(0, 3), expected);
  const { data } = await sdk.listReportTasks({ path: { report_id: expected[0]! } });
  assert.deepEqual(data?.items.map((task) => task.task), ["invoices.fetch", "invoices.store"]);
});

test("many are asked for at once", async () => {
  const { data } = await sdk.syncInvoicesBatch({
    body: { requests: [{ parameters: ADA }, { parameters: { customer_id: "no spaces" } }] },
  });

  assert.deepEqual([data?.refused, data?.items.map((item) => item.status)], [1, [202, 422]]);
  assert.equal(data?.items[1]?.problem?.code, "parameters_invalid");
});

test("actions are listed", async () => {
  const { data } = await sdk.listActions();

  assert(data?.items.some((action) => action.name === "sync-invoices"));
});
