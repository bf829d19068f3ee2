// The page is painted before it is brought to life: what that takes is fetched when the first frame is drawn, which is
// between two requests for one. Of a page that nobody sees no frame is drawn.
const begin = () => import("./page.js");
if (document.hidden) begin();
else requestAnimationFrame(() => requestAnimationFrame(begin));
