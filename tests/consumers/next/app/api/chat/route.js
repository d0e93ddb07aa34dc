// A route that streams as OpenAI does.
export async function POST(request) {
  const { messages } = await request.json();
  const words = ["**Você disse:** ", messages.at(-1).content, "\n\n", "- um\n", "- dois\n", "\n", "<b>fim</b>"];
  const stream = new ReadableStream({
    async start(controller) {
      const say = (text) => controller.enqueue(new TextEncoder().encode(text));
      for (const content of words) {
        say(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      say(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`);
      say("data: [DONE]\n\n");
      controller.close();
    },
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}
