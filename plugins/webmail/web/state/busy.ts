// What the page is doing, for the status text: it is shown only when an action takes longer than a second.

import { type Signal, signal } from '@preact/signals'
import { toast } from '../frame/overlay.ts'
import { reasonOf } from '../lib/reason.ts'

/** Milliseconds after which an action that goes on is shown. */
const SHOWN_AFTER = 1_000

/** The action that goes on, such as "moving messages"; '' for none that takes long. */
export const status: Signal<string> = signal('')

const running = new Set<Promise<unknown>>()

/** Runs an action under a name that is shown if it takes long. What it throws is thrown. */
export async function busy<T>(text: string, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    status.value = text
  }, SHOWN_AFTER)
  const done = work()
  running.add(done)
  try {
    return await done
  } finally {
    running.delete(done)
    clearTimeout(timer)
    if (status.value === text) status.value = ''
  }
}

/** When the actions that go on now are over, and what they did has been told. */
export async function settled(): Promise<void> {
  while (running.size > 0) {
    await Promise.allSettled(running)
    // Who waited for an action tells of it first.
    await new Promise(resolve => setTimeout(resolve))
  }
}

/** Tells the user why something was not done. */
export function showError(error: unknown): void {
  toast({ text: reasonOf(error), kind: 'error' })
}

/** Like `busy`, for actions without a result that others wait for: a failure is shown, and the answer is false. */
export async function attempt(text: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await busy(text, work)
    return true
  } catch (error) {
    showError(error)
    return false
  }
}
