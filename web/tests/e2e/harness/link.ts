/** A line between a browser and a server that can really be cut: a TCP relay. (Playwright's
 *  offline mode leaves open WebSockets alone.) Must not know what flows through it. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Link {
  private readonly sockets = new Set<Socket>();
  private cut = false;
  /** How long each byte takes on each way, in milliseconds. */
  delay = 0;

  private constructor(
    private readonly server: Server,
    private port: () => number,
  ) {}

  /** Relays to `127.0.0.1:port()`, asked anew for each connection. */
  static async to(port: () => number): Promise<Link> {
    const server = createServer();
    const link = new Link(server, port);
    server.on("connection", (near) => link.relay(near));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return link;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`);
  }

  /** Cuts everything that is open, and whatever comes, until `mend`. */
  sever(): void {
    this.cut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.cut = false;
  }

  async dispose(): Promise<void> {
    this.sever();
    this.server.close();
    await once(this.server, "close");
  }

  private relay(near: Socket): void {
    if (this.cut) {
      near.destroy();
      return;
    }
    const far = connect(this.port(), "127.0.0.1");
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    this.flow(near, far);
    this.flow(far, near);
  }

  /** In order, whatever the delay becomes. */
  private flow(from: Socket, to: Socket): void {
    let last = Promise.resolve();
    from.on("data", (chunk) => {
      const due = Date.now() + this.delay;
      last = last.then(async () => {
        const wait = due - Date.now();
        if (wait > 0) await new Promise((passed) => setTimeout(passed, wait));
        to.write(chunk);
      });
    });
    from.on("end", () => void last.then(() => to.end()));
  }
}
