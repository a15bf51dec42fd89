declare const process: { argv: string[]; env: Record<string, string | undefined> };

export const baseUrl = process.argv[2] ?? "";
export const password = process.env["PASSWORD"] ?? "";

export function expect(actual: unknown, wanted: unknown): void {
  if (actual !== wanted) {
    throw new Error(`expected ${JSON.stringify(wanted)}, got ${JSON.stringify(actual)}`);
  }
}

export function expectStatus(response: Response, status: number): void {
  expect(response.status, status);
}
