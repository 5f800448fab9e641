// @mox/plugin-storage-sql: what the SQL storage backends share. A backend implements SqlEngine and puts SqlStorage on top.
export { toSqlValue } from './compile.ts'
export * from './engine.ts'
export * from './errors.ts'
export { offload } from './offload.ts'
export * from './storage.ts'
