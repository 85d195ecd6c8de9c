// Opens the live socket before anything else is read: its way through the browser is as long as the modules' own. No
// module, so that it runs at once. link.js takes the socket over, with what came meanwhile.
(() => {
  const socket = new WebSocket(`ws://${location.host}/ws/live?view=${document.currentScript.dataset.view}`);
  const heard = [];
  socket.onmessage = (event) => heard.push(event);
  window.early = { socket, heard };
})();
