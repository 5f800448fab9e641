// The webmail page. Everything on it is in the folder of its part; this puts them together.
import { render } from 'preact'

const root = document.getElementById('app')
if (root !== null) render(<p>mox</p>, root)
