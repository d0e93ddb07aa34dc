// A page of the server, with the chat as a component of the client's: both import the package.
import { Chat } from "./chat.jsx";

export const dynamic = "force-dynamic";

export default async function Page() {
  const { ChatClient } = await import("riacho");
  return (
    <main>
      <p id="server">{typeof ChatClient}</p>
      <Chat />
    </main>
  );
}
