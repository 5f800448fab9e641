// Stands in for the client of the event stream.
import type { ViewQuery } from '../../src/api/model.ts'

export function startStream(): void {}
export function reconnect(): void {}
export function resetStream(): void {}
export function openView(
  _query: ViewQuery,
  _options: { readonly search?: string; readonly until?: number } = {},
): void {}
