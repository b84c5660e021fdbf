import { decodeCanonical } from '@skerry/base';
import { decodeRequest } from '@skerry/wire';

/** Bytes of a request and of its answer, each as a frame. */
export type Exchange = { readonly requestBytes: number; readonly answerBytes: number };

/** Notes how large a node's requests and their answers are. */
export type Exchanges = {
  /** Sees a frame that passes, as the node's `onFrame`. */
  readonly see: (direction: 'in' | 'out', nodeId: string, frame: Uint8Array) => void;
  /** The latest exchange of a name. @throws where there was none */
  readonly of: (name: string) => Exchange;
  /** Looks at nothing more, so that what is timed next is not slowed down. */
  readonly end: () => void;
};

const frameBytesMax = 2 ** 20;

/** Starts with nothing seen. */
export function watchExchanges(): Exchanges {
  const asked = new Map<string, { name: string; requestBytes: number }>();
  const seen = new Map<string, Exchange>();
  let isEnded = false;
  return {
    see: (direction, nodeId, frame) => {
      if (isEnded) return;
      const [id, kind, body] = decodeCanonical(frame, frameBytesMax) as [number, number, Uint8Array];
      const exchange = `${nodeId}/${id}`;
      if (direction === 'out' && kind === 0) {
        asked.set(exchange, { name: decodeRequest(body).name, requestBytes: frame.length });
      }
      const request = asked.get(exchange);
      if (direction !== 'in' || kind === 0 || request === undefined) return;
      asked.delete(exchange);
      seen.set(request.name, { requestBytes: request.requestBytes, answerBytes: frame.length });
    },
    of: name => {
      const exchange = seen.get(name);
      if (exchange === undefined) throw new Error(`no ${name} was sent`);
      return exchange;
    },
    end: () => {
      isEnded = true;
    },
  };
}
