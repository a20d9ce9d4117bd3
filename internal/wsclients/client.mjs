// client.mjs URL: the package ws of npm against the chat of the test. Each thing that
// works is a line "ok NAME".
import WebSocket from "ws";

const url = process.argv[2];

// open resolves to a connection, or to the status by which it was refused.
function open(protocols, options) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, { handshakeTimeout: 5000, ...options });
    socket.once("open", () => resolve(socket));
    socket.once("unexpected-response", (request, response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    socket.once("error", reject);
  });
}

function once(socket, event) {
  return new Promise((resolve) => socket.once(event, (...args) => resolve(args)));
}

function check(name, ok, got) {
  if (!ok) {
    console.error(name, got);
    process.exit(1);
  }
  console.log("ok " + name);
}

const socket = await open([], { headers: { Authorization: "Bearer ada" } });
check("log-in by a header", socket instanceof WebSocket, socket);
check("no compression", socket.extensions === "", socket.extensions);
socket.send(JSON.stringify({ text: "grüße 😀" }));
const [text, binary] = await once(socket, "message");
check("text", !binary && JSON.parse(text).text === "grüße 😀", String(text));
socket.ping("hello");
const [pong] = await once(socket, "pong");
check("ping", String(pong) === "hello", String(pong));
socket.send(JSON.stringify({ text: "in " }).slice(0, 9), { fin: false });
socket.send('fragments"}', { fin: true });
const [whole] = await once(socket, "message");
check("fragments", JSON.parse(whole).text.endsWith("fragments"), String(whole));
socket.close(1000, "bye");
const [code] = await once(socket, "close");
check("close", code === 1000, code);

const beside = await open(["bearer", "ada"], { origin: new URL(url).origin.replace("ws", "http") });
check("log-in beside a subprotocol", beside instanceof WebSocket && beside.protocol === "bearer", beside);
beside.send(Buffer.from([0, 1]));
const [refused] = await once(beside, "close");
check("binary is refused", refused === 1003, refused);

check("nobody", (await open([], {})) === 401);
check("wrong origin", (await open(["bearer", "ada"], { origin: "https://evil.example" })) === 403);
