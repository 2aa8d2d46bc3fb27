// Hands connections to several servers in turn, so that they are behind one address: node balance.mjs PORT PORT PORT...

import net from "node:net";

const [listen, ...servers] = process.argv.slice(2).map(Number);
let turn = 0;

net.createServer((from) => {
  const to = net.connect(servers[turn++ % servers.length], "127.0.0.1");
  from.on("error", () => to.destroy()).pipe(to);
  to.on("error", () => from.destroy()).pipe(from);
}).listen(listen, "127.0.0.1");
