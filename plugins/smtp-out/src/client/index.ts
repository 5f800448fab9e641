// Our own SMTP client: see types.ts for the contract.
export { connect } from './session.ts'
export * from './types.ts'
