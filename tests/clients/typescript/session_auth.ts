// Log in: recipes belong to the caller.
import createClient from "openapi-fetch";
import type { paths } from "./api.ts";
import { baseUrl, expectStatus, password } from "./expect.ts";

export async function connect() {
  const client = createClient<paths>({ baseUrl });
  const login = await client.POST("/api/v1/auth/login", {
    body: { grant_type: "password", username: "admin@example.com", password },
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  expectStatus(login.response, 200);
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${login.data?.access_token}`);
      return request;
    },
  });
  return { client, owner: {} };
}
