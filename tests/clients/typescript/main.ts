// Use a running service with the client that openapi-typescript generates.
import { connect } from "./session.ts";
import { expect, expectStatus } from "./expect.ts";
import { upload } from "./photos.ts";

const { client, owner } = await connect();
const soup = { label: "Soup", source: "Ada", url: "https://example.com/soup", ...owner };

const created = await client.POST("/api/v1/recipes/", { body: soup });
expectStatus(created.response, 201);
const id: number = created.data?.id ?? 0;
const path = { id };

const read = await client.GET("/api/v1/recipes/{id}", { params: { path } });
expect(read.data?.label, "Soup");

const page = await client.GET("/api/v1/recipes/", { params: { query: { after: id - 1, limit: 1 } } });
expect(page.data?.items[0]?.id, id);
expect(page.data?.next_after, null);

const changed = await client.PATCH("/api/v1/recipes/{id}", {
  params: { path },
  body: { label: "Stew" },
});
expect(changed.data?.label, "Stew");
expect(changed.data?.source, "Ada");

await upload(client, id);

const deleted = await client.DELETE("/api/v1/recipes/{id}", { params: { path } });
expectStatus(deleted.response, 204);

const missing = await client.GET("/api/v1/recipes/{id}", { params: { path } });
expect(missing.data, undefined);
expect(missing.error?.status, 404);
expect(missing.error?.detail, `Recipe ${id} does not exist`);

const invalid = await client.POST("/api/v1/recipes/", { body: { ...soup, url: "soup" } });
expect(invalid.error?.errors?.[0]?.field, "body.url");
