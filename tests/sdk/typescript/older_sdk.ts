// An SDK that does not know the action import-invoices: asks for it by hand, then lists and reads its reports.
import assert from "node:assert/strict";

import { listReports } from "./async-actions";
import { client } from "./async-actions/client.gen";
import type { Report } from "./async-actions";
import { waitFor } from "./wait_for";

client.setConfig({ baseUrl: process.env.SERVICE_URL, auth: () => process.env.SERVICE_TOKEN });

async function main(): Promise<void> {
  const { data: accepted } = await client.post<{ 202: Report }>({
    url: "/actions/import-invoices",
    body: { customer_id: "cus_ada" },
    headers: { "Content-Type": "application/json" },
    security: [{ scheme: "bearer", type: "http" }],
  });
  assert(accepted);
  const { data: listed } = await listReports({ query: { action: "import-invoices" }, throwOnError: true });
  assert.deepEqual(listed.items.map((item) => item.id), [accepted.id]);

  const report = await waitFor(accepted);
  console.log(report.action, report.status, (report.result as { stored: number }).stored);
}

void main();
