// @mox/plugin-sdk/io: what several plugins need towards the outside: requests that cannot reach our own network, processes that
// read what strangers wrote, and zip archives that are made while they are read; and deleting many rows. Node builtins only.
export * from './confined.ts'
export * from './delete.ts'
export * from './egress.ts'
export * from './post.ts'
export { endOfDirectory, ZipWriter } from './zip.ts'
