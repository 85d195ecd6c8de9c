// A dedicated or shared worker: attacks as the page does. Its address bears host:port of the game and of the server.
"use strict";
importScripts("/attack.js");
{
  const given = new URL(self.location).searchParams;
  self.attack(given.get("game"), given.get("here"), given.get("parts"), { names: 2, lasting: false });
}
