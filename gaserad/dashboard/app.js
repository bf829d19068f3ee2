// The page's bar is painted before the page is brought to life, which also shows the rest of it: empty, that would tell
// nobody anything. What life takes is fetched when the first frame is drawn, which is between two requests for one. Of a
// page that nobody sees no frame is drawn.
const begin = () => import("./page.js");
if (document.hidden) begin();
else requestAnimationFrame(() => requestAnimationFrame(begin));
