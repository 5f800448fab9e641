// @mox/plugin-sdk: everything a plugin may use. Parsing of mail is in @mox/plugin-sdk/mail, fakes for tests in
// @mox/plugin-sdk/testkit.
export * from './define/index.ts'
export * from './hooks/index.ts'
export * from './model/index.ts'
export * from './services/index.ts'
