// A query on messages while it is put together.
import type { Db } from './schema.ts'

export type Query = ReturnType<Db>
