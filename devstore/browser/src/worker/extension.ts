/** The worker of a checkout UI extension: its document and its `shopify`, then its bundle. */
import {startProgram} from './program.ts';
import {heard, mirror} from './remote.ts';
import {fail, scope} from './scope.ts';

scope.onmessage = ({data, ports}) => {
  if (data.kind === 'happened') heard(data.listener, data.detail);
  else if (ports[0]) startProgram(data, ports[0], mirror).catch(fail);
};
