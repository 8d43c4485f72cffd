import { channel } from 'node:diagnostics_channel';

/** Subscribe to `reknit:event` with `node:diagnostics_channel` to see every request of the process. */
export const eventChannel = channel('reknit:event');
