// This service takes no photos.
export async function upload(_client: unknown, _id: number): Promise<void> {}
