// Something of the server that a page of the settings shows.
import { useEffect, useState } from 'preact/hooks'

export interface Loaded<T> {
  readonly value: T | undefined
  readonly problem: string
  reload(): void
}

export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
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
        if (wanted) setProblem(error instanceof Error ? error.message : String(error))
      },
    )
    return () => {
      wanted = false
    }
  }, [round])
  return { value, problem, reload: () => setRound(n => n + 1) }
}
