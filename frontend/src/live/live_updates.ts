import { connection, reportStream, reportUnreachable } from "./connection";

const POLL_MS = 5000;
const RECONNECT_MS = 5000;
/** Events of one moment ask once; what they change may be visible a moment after them. */
const GATHER_MS = 150;
const SETTLE_MS = 1000;
const LOCK = "realtoros-live";

type Message = { kind: "changed" } | { kind: "stream"; isOpen: boolean } | { kind: "who" };

/**
 * Call `refresh` whenever something has changed, or every five seconds without a stream; return
 * what stops it. Of all tabs of a browser one has the stream, and tells the others. A hidden tab
 * has none, and asks nothing.
 */
export function followChanges(refresh: () => void): () => void {
  const channel = new BroadcastChannel(LOCK);
  const post = (message: Message) => channel.postMessage(message);
  let isLeader = false;
  let streaming = false;
  let release: (() => void) | undefined;
  let waiting: AbortController | undefined;
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let settling: ReturnType<typeof setTimeout> | undefined;

  const changed = () => {
    if (document.hidden) return;
    gathering ??= setTimeout(() => {
      gathering = undefined;
      refresh();
    }, GATHER_MS);
    clearTimeout(settling);
    settling = setTimeout(refresh, SETTLE_MS);
  };
  const report = (isOpen: boolean) => {
    streaming = isOpen;
    reportStream(isOpen);
    if (isLeader) post({ kind: "stream", isOpen });
  };

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === "changed") changed();
    else if (data.kind === "stream") report(data.isOpen);
    else if (isLeader) post({ kind: "stream", isOpen: streaming });
  };

  const appear = () => {
    waiting = new AbortController();
    navigator.locks
      .request(LOCK, { signal: waiting.signal }, () => {
        isLeader = true;
        const close = openStream(report, () => {
          post({ kind: "changed" });
          changed();
        });
        return new Promise<void>((resolve) => {
          release = () => {
            close();
            isLeader = false;
            resolve();
          };
        });
      })
      .catch(() => undefined);
    post({ kind: "who" });
  };
  const disappear = () => {
    waiting?.abort();
    release?.();
    release = undefined;
  };
  const onVisibility = () => {
    if (document.hidden) disappear();
    else {
      appear();
      refresh();
    }
  };
  const polling = setInterval(() => {
    if (connection.get().mode !== "live" && !document.hidden) refresh();
  }, POLL_MS);

  if (!document.hidden) appear();
  document.addEventListener("visibilitychange", onVisibility);
  // A network that goes away ends no stream: it only falls silent.
  window.addEventListener("offline", reportUnreachable);
  window.addEventListener("online", refresh);
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    window.removeEventListener("offline", reportUnreachable);
    window.removeEventListener("online", refresh);
    clearInterval(polling);
    clearTimeout(gathering);
    clearTimeout(settling);
    disappear();
    channel.close();
  };
}

/** Open the stream, again when it ends; return what closes it. */
function openStream(report: (isOpen: boolean) => void, changed: () => void): () => void {
  let source: EventSource;
  let again: ReturnType<typeof setTimeout> | undefined;
  let missedSome = false;
  const open = () => {
    source = new EventSource("/api/events");
    source.addEventListener("hello", () => {
      report(true);
      if (missedSome) changed();
      missedSome = false;
    });
    source.addEventListener("timeline", changed);
    source.addEventListener("reset", changed);
    source.onerror = () => {
      missedSome = true;
      report(false);
      // After a refusal the browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, RECONNECT_MS);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
  };
}
