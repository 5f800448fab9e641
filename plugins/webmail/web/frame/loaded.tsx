// Something of the server that a part of the page shows.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { reasonOf } from '../lib/reason.ts'

export interface Loading<T> {
  readonly value: T | undefined
  readonly problem: string
  reload(): void
}

export function useLoaded<T>(load: () => Promise<T>): Loading<T> {
  const [value, setValue] = useState<T | undefined>(undefined)
  const [problem, setProblem] = useState('')
  const [round, setRound] = useState(0)
  useEffect(() => {
    let wanted = true
    load().then(
      loaded => {
        if (!wanted) return
        setValue(() => loaded)
        setProblem('')
      },
      (error: unknown) => {
        if (wanted) setProblem(reasonOf(error))
      },
    )
    return () => {
      wanted = false
    }
  }, [round])
  return { value, problem, reload: () => setRound(n => n + 1) }
}

/** Shows it once it is there, or why it is not. */
export function Loaded<T>(props: {
  /** Shown before, such as "Loading…". */
  readonly waiting: string
  load(): Promise<T>
  show(value: T): JSX.Element
}): JSX.Element {
  const { value, problem } = useLoaded(props.load)
  if (problem !== '')
    return (
      <p class="problem" role="alert">
        {problem}
      </p>
    )
  return value === undefined ? <p aria-busy="true">{props.waiting}</p> : props.show(value)
}
