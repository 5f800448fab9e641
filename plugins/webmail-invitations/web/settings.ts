// What the user chose on the extension's page of the settings.
export interface Chosen {
  /** Of the IANA database; '' for the one of the browser. */
  readonly timeZone: string
  /** 1 for Monday, 0 for Sunday, 6 for Saturday. */
  readonly weekStart: 0 | 1 | 6
}

/** Reads what was stored, which may be anything. */
export function readChosen(stored: unknown): Chosen {
  const { timeZone, weekStart } = (typeof stored === 'object' && stored !== null ? stored : {}) as Partial<Chosen>
  return {
    timeZone: typeof timeZone === 'string' && isZone(timeZone) ? timeZone : '',
    weekStart: weekStart === 0 || weekStart === 6 ? weekStart : 1,
  }
}

function isZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return timeZone !== ''
  } catch {
    return false
  }
}

const WEEK_STARTS = [
  [1, 'Monday'],
  [0, 'Sunday'],
  [6, 'Saturday'],
] as const

export function mountSettings(element: HTMLElement, stored: unknown, save: (value: unknown) => Promise<void>): void {
  let chosen = readChosen(stored)
  const change = (next: Partial<Chosen>): void => {
    chosen = { ...chosen, ...next }
    void save(chosen)
  }
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  const zones = [['', `As this browser (${own})`], ...Intl.supportedValuesOf('timeZone').map(z => [z, z])]
  element.append(
    field('Time zone of invitations', zones as [string, string][], chosen.timeZone, timeZone => change({ timeZone })),
    field(
      'The week begins on',
      WEEK_STARTS.map(([day, name]) => [String(day), name]),
      String(chosen.weekStart),
      day => change({ weekStart: Number(day) as Chosen['weekStart'] }),
    ),
  )
}

function field(
  title: string,
  values: readonly (readonly [value: string, name: string])[],
  chosen: string,
  change: (value: string) => void,
): HTMLElement {
  const label = document.createElement('label')
  label.className = 'field'
  const select = document.createElement('select')
  for (const [value, name] of values) select.append(new Option(name, value, false, value === chosen))
  select.addEventListener('change', () => change(select.value))
  label.append(title, select)
  return label
}
