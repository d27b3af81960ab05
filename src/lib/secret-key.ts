/** One key of `SECRET_KEY`: 32 bytes, and the id that sealed values and keyed hashes carry. */
export interface SecretKey {
  id: string;
  bytes: Buffer;
}
