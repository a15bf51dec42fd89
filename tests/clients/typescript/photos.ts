// Upload a photo of a recipe, and read the job that handles it.
import type { Client } from "openapi-fetch";
import type { paths } from "./api.ts";
import { expect, expectStatus } from "./expect.ts";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

export async function upload(client: Client<paths>, id: number): Promise<void> {
  const photo = new Blob([Uint8Array.from(atob(PNG), (letter) => letter.charCodeAt(0))]);
  const accepted = await client.POST("/api/v1/recipes/{id}/photo", {
    params: { path: { id } },
    // A file is a string in the generated types: they are of what JSON can hold.
    body: { photo: "" },
    bodySerializer: () => {
      const form = new FormData();
      form.append("photo", photo, "soup.png");
      return form;
    },
  });
  expectStatus(accepted.response, 202);
  const job = await client.GET("/api/v1/jobs/{id}", {
    params: { path: { id: accepted.data?.id ?? 0 } },
  });
  expect(job.data?.id, accepted.data?.id);
}
