// The files of a zip archive that came as an attachment. Each can be looked at in a tab of its own or saved alone; archives within
// it stay closed.
import type { JSX } from 'preact'
import type { Result } from '../../src/api/calls.ts'
import { Loaded } from '../frame/loaded.tsx'
import { call } from '../lib/api.ts'
import { sizeText } from './size.ts'

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })

interface ZipProps {
  readonly id: number
  readonly path: string
}

export function ZipView(props: ZipProps): JSX.Element {
  return (
    <Loaded
      waiting="Opening…"
      load={() => call('zipEntries', props)}
      show={listing => <Files {...props} {...listing} />}
    />
  )
}

function Files({ id, path, entries, more }: ZipProps & Result<'zipEntries'>): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well.
    <div class="zip-view scroll" tabIndex={0}>
      <table>
        <caption>
          {entries.length.toLocaleString()} {entries.length === 1 ? 'file' : 'files'}
          {more ? ', and more that are not shown' : ''}
        </caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Size</th>
            <th scope="col">Changed</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ index, name, size, modified, readable, encrypted }) => (
            <tr key={index}>
              <th scope="row">
                {readable ? (
                  <>
                    <a href={`msg/${id}/zipview/${path}/${index}`} target="_blank" rel="noopener noreferrer">
                      <bdi>{name}</bdi>
                    </a>{' '}
                    <a href={`msg/${id}/zipdownload/${path}/${index}`} download="" aria-label={`save ${name}`}>
                      save
                    </a>
                  </>
                ) : (
                  <>
                    <bdi>{name}</bdi> <small>{encrypted ? 'encrypted' : 'too large to be taken out alone'}</small>
                  </>
                )}
              </th>
              <td>{sizeText(size)}</td>
              <td>{modified === 0 ? '' : DATE.format(modified)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
