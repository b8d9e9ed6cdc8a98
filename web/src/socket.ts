/** Bytes over one WebSocket, from opening to close. Must not know what they mean. */

/** What happens on a socket, in order. Nothing is heard any more after `closed` or `close()`. */
export interface SocketEvents {
  readonly opened: () => void;
  readonly frame: (bytes: Uint8Array) => void;
  /** 1006 when it could not be opened or broke. */
  readonly closed: (code: number, reason: string) => void;
}

export interface Socket {
  /** Sends one binary message; dropped in silence once the socket is no longer open, because
   *  `closed` says so and the session then offers again what was not acknowledged. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export type OpenSocket = (events: SocketEvents) => Socket;

/** Codes of RFC 6455 that say it broke without saying why. */
const ABNORMAL = 1006;

/** Opens WebSockets to one address with one subprotocol. */
export function socketTo(url: URL, subprotocol: string): OpenSocket {
  return (events) => {
    let open = true;
    let socket: WebSocket | undefined;
    const closed = (code: number, reason: string) => {
      if (!open) return;
      open = false;
      events.closed(code, reason);
    };
    try {
      socket = new WebSocket(url, subprotocol);
    } catch (error) {
      // An address or a policy that the browser refuses; heard like any other failure, later.
      queueMicrotask(() => closed(ABNORMAL, String(error)));
    }
    if (socket) {
      socket.binaryType = "arraybuffer";
      socket.onopen = () => open && events.opened();
      socket.onmessage = (event: MessageEvent<unknown>) => {
        if (open && event.data instanceof ArrayBuffer) events.frame(new Uint8Array(event.data));
      };
      socket.onclose = (event) => closed(event.code, event.reason);
    }
    return {
      send(bytes) {
        if (open && socket?.readyState === WebSocket.OPEN) socket.send(bytes);
      },
      close() {
        open = false;
        socket?.close(1000);
      },
    };
  };
}
