/** The words that every kind of plan shares. */

/** How a connection ends: TCP reset, an orderly end, or (TLS only differs) a FIN without close_notify. */
export type EndedHow = 'rst' | 'fin' | 'bare-fin';

/** Which of the things counted from 1 a rule is about; `resumes` is every request with a Range header. */
export type Selector =
  | 'every'
  | 'resumes'
  | number
  | readonly number[]
  | { readonly from?: number; readonly to?: number };
