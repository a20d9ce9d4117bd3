// What is live on the shop's pages. Without it a page is as it was when it was loaded.
"use strict";

// The text of a stock, as the template "stock" has it.
const stockText = (n) => n === null ? "Made to order" : n === 0 ? "Sold out" : `${n} left`;

function showStock(item, n) {
  for (const place of document.querySelectorAll(`[data-stock="${CSS.escape(item)}"]`)) place.textContent = stockText(n);
}

// refresh loads the page again and takes over what is live in it: after a gap nobody
// knows what was missed.
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (fresh) old.replaceWith(document.adoptNode(fresh));
  }
}

// events listens to server-sent events; the browser reconnects by itself and says
// what it has seen last.
function events(path, after, listeners) {
  const source = new EventSource(`${path}?after=${after}`);
  source.onopen = () => { document.documentElement.dataset.live = "yes"; };
  source.addEventListener("gap", refresh);
  for (const [name, listener] of Object.entries(listeners)) {
    source.addEventListener(name, (event) => listener(JSON.parse(event.data)));
  }
  addEventListener("pagehide", () => source.close());
}

// socket keeps a WebSocket open; the wait between attempts doubles up to a minute.
function socket(path, after, onMessage) {
  let wait = 1000, again = false, leaving = false, ws;
  const connect = () => {
    ws = new WebSocket(`wss://${location.host}${path}${again ? "" : `?after=${after}`}`);
    ws.onopen = () => {
      if (again) refresh();
      again = true;
      wait = 1000;
      document.documentElement.dataset.live = "yes";
    };
    ws.onmessage = (event) => onMessage(JSON.parse(event.data));
    ws.onclose = (event) => {
      document.documentElement.dataset.live = "no";
      // Codes from 4000 on are refusals: asking again changes nothing.
      if (leaving || event.code >= 4000 && event.code !== 4408) return;
      setTimeout(connect, wait * (0.5 + Math.random()));
      wait = Math.min(2 * wait, 60000);
    };
  };
  addEventListener("pagehide", () => { leaving = true; ws.close(); });
  connect();
}

function addReview(review) {
  const list = document.getElementById("review-list");
  if (!list || document.getElementById(`review-${review.review_id}`)) return;
  const article = document.getElementById("review-template").content.cloneNode(true).firstElementChild;
  const title = article.querySelector("h3");
  title.id = `review-${review.review_id}`;
  article.setAttribute("aria-labelledby", title.id);
  title.textContent = review.title;
  const stars = article.querySelector(".stars");
  stars.textContent = "★".repeat(review.stars) + "☆".repeat(5 - review.stars);
  stars.setAttribute("aria-label", `${review.stars} of 5 stars`);
  article.querySelector(".author").textContent = review.author_name;
  // The server has cleaned it, and the page's policy runs no script in it.
  article.querySelector(".prose").innerHTML = review.text;
  document.getElementById("no-reviews")?.remove();
  list.prepend(article);
}

function removeReview(id) {
  document.getElementById(`review-${id}`)?.closest("article").remove();
}

// chart draws how many orders there were in each of the last 60 minutes.
function chart(svg) {
  const counts = svg.dataset.counts.split(" ").map(Number);
  let minute = Math.floor(Date.now() / 60000);
  const draw = () => {
    for (const now = Math.floor(Date.now() / 60000); minute < now; minute++) { counts.shift(); counts.push(0); }
    const most = Math.max(5, ...counts);
    svg.querySelectorAll("rect").forEach((bar, i) => {
      const height = 100 * counts[i] / most;
      bar.setAttribute("y", 100 - height);
      bar.setAttribute("height", height);
    });
    const sum = counts.reduce((a, b) => a + b, 0);
    document.getElementById("orders-sum").textContent = `${sum} ${sum === 1 ? "order" : "orders"} in the last hour`;
  };
  setInterval(draw, 5000);
  return () => {
    draw();
    counts[counts.length - 1]++;
    const total = document.getElementById("orders-total");
    total.textContent = Number(total.textContent) + 1;
    draw();
  };
}

const { item, after } = document.querySelector("[data-after]")?.dataset ?? {};
if (item) {
  socket(`/ws/items/${item}`, after, (message) => {
    switch (message.kind) {
      case "gap": return refresh();
      case "stock": return showStock(item, message.stock ?? null);
      case "review": return addReview(message.review);
      case "removed": return removeReview(message.review_id);
    }
  });
} else if (document.querySelector("[data-stock]")) {
  events("/items/live", after, { stock: (event) => showStock(event.item_id, event.stock ?? null) });
}
const drawing = document.getElementById("orders-chart");
if (drawing) events("/admin/orders/live", after, { order: chart(drawing) });
