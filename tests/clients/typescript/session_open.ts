// Create a user: a recipe names its submitter.
import createClient from "openapi-fetch";
import type { paths } from "./api.ts";
import { baseUrl, expectStatus } from "./expect.ts";

export async function connect() {
  const client = createClient<paths>({ baseUrl });
  const email = `typescript-${Date.now()}@example.com`;
  const created = await client.POST("/api/v1/users/", { body: { name: "Ada", email } });
  expectStatus(created.response, 201);
  return { client, owner: { submitter_id: created.data?.id ?? 0 } };
}
