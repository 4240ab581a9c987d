// What a page measures of itself; see https://web.dev/articles/vitals.
window.vitals = { lcp: 0, cls: 0, interactions: {}, longTasks: [] };

const watch = (type, take, options = {}) =>
  new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({
    type,
    buffered: true,
    ...options,
  });

watch("largest-contentful-paint", ({ startTime }) => {
  vitals.lcp = startTime;
});
// The sum of all shifts is never less than CLS, the sum of a few seconds.
watch("layout-shift", ({ value, hadRecentInput }) => {
  if (!hadRecentInput) vitals.cls += value;
});
watch(
  "event",
  ({ interactionId: id, duration }) => {
    if (id) vitals.interactions[id] = Math.max(duration, vitals.interactions[id] ?? 0);
  },
  { durationThreshold: 16 },
);
watch("longtask", ({ startTime, duration }) => vitals.longTasks.push({ startTime, duration }));

// Resolves once the page has its heading, nothing is being fetched for it and it has been so for a
// while. What looks for it takes next to no time: Playwright's own waiting would be measured, too.
window.loaded = () =>
  new Promise((resolve) => {
    let times = 0;
    const timer = setInterval(() => {
      const isLoaded = document.querySelector("h1") && !document.querySelector("[aria-busy=true]");
      times = isLoaded ? times + 1 : 0;
      if (times < 4) return;
      clearInterval(timer);
      resolve();
    }, 100);
  });

let clickedAt = 0;
addEventListener("click", ({ timeStamp }) => { clickedAt = timeStamp; }, { capture: true });

// Resolves to the milliseconds from the next click until other rows are painted, and the longest
// task in between.
window.rowsAfterClick = () =>
  new Promise((resolve) => {
    const rows = () => [...document.querySelectorAll("tbody a")].map(({ href }) => href).join();
    const before = rows();
    clickedAt = 0;
    const observer = new MutationObserver(() => {
      if (!clickedAt || rows() === before || !rows()) return;
      observer.disconnect();
      requestAnimationFrame(() =>
        setTimeout(() => {
          const clicked = clickedAt;
          const took = performance.now() - clicked;
          // Long tasks are told after they have ended.
          setTimeout(() => {
            const tasks = vitals.longTasks.filter(
              ({ startTime }) => startTime >= clicked && startTime <= clicked + took,
            );
            resolve([took, Math.max(0, ...tasks.map(({ duration }) => duration))]);
          }, 100);
        }),
      );
    });
    observer.observe(document.body, { subtree: true, childList: true, attributes: true });
  });

// Resolves to when the page shows the text, in seconds since 1970.
window.shownAt = (text) =>
  new Promise((resolve) => {
    const look = () => document.body.textContent.includes(text);
    const observer = new MutationObserver(() => {
      if (!look()) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(Date.now() / 1000)));
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  });
