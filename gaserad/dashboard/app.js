// The page is painted before it is brought to life: what that takes is fetched when the first paint is told, so that it does
// not compete with it. A page that nobody sees is not painted.
const begin = () => import("./page.js");
const isTold = PerformanceObserver.supportedEntryTypes?.includes("paint");
if (document.hidden || !isTold) begin();
else new PerformanceObserver(begin).observe({ type: "paint", buffered: true });
