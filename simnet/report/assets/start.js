// Puts the page together: what is read first comes first, and charts are drawn once everything has its place.

startTheme();
startHead();
startVerdicts();
startFigures();
startTimeline();
startSpread();
startProofs();
startRejected();
startFooter();
drawWaiting();
startReplay();
document.documentElement.dataset.ready = "yes";
