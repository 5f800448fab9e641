// onAccount.remove: an account leaves, and what plugins keep for it.

/**
 * An account is being removed. Everything that a handler does in the open unit of work happens together with the removal: an
 * account that is added later under the same name finds nothing of this one. What is many rows is deleted in portions, with
 * `deleteInPortions`; when one handler fails, nothing is removed.
 */
export interface AccountRemoveInput {
  readonly account: string
}
