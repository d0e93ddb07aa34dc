// The hook, over a route of this very application.
"use client";
import { Markdown, useChat } from "riacho/react";
import { openAI } from "riacho/adapters/openai";

const transport = openAI({ url: "/api/chat", model: "test" });

export function Chat() {
  const chat = useChat({ transport, conversationId: "c", storageKey: null });
  if (typeof window !== "undefined") {
    window.hook = chat;
  }
  return (
    <>
      <div ref={chat.ref} />
      <Markdown id="text" text="**um**" done />
      <button onClick={() => chat.send("Conta")}>Send</button>
    </>
  );
}
