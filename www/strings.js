// Every word that the demo says, in each of its languages. A key that one language lacks fails a test.
export const LANGUAGES = { en: "English", "pt-BR": "Português (Brasil)" };

export const STRINGS = {
  en: {
    skip: "Skip to the message box",
    menu: "Conversations menu",
    conversations: "Conversations",
    messages: "Messages",
    newConversation: "New conversation",
    rename: "Rename",
    renameTo: "New title",
    archive: "Archive",
    streaming: "an answer is being written",
    inside: "Inside",
    preferences: "Preferences",
    done: "Done",
    message: "Message",
    ask: "Ask something",
    provider: "Answered by",
    anyProvider: "the default",
    send: "Send",
    stop: "Stop",
    down: "Back to the end",
    welcomeTitle: "What shall flow?",
    welcomeText: "The answer streams from this machine: no key, no network. Switch conversations, reload, stop, cut the line: nothing is lost, and nothing comes twice.",
    starting: "Starting…",
    connecting: "Connecting…",
    connected: "Connected",
    lost: "Connection lost; trying again in {seconds} s",
    closed: "Closed",
    notStarted: "Not started",
    copy: "Copy",
    copied: "Copied",
    copyCode: "Copy the code ({language})",
    notCopied: "The browser did not allow copying",
    pause: "Pause",
    resume: "Resume",
    again: "Answer again",
    reasoning: "Reasoning",
    you: "You",
    answer: "Answer",
    taskDone: "done",
    taskOpen: "to do",
    tool: "Tool: {name}",
    firstToken: "first token {ms} ms",
    rate: "{rate} characters/s",
    tokens: "{count} tokens",
    theme: "Theme",
    themeSystem: "as the system",
    themeLight: "light",
    themeDark: "dark",
    motion: "Motion",
    motionSystem: "as the system",
    motionLess: "less",
    language: "Language",
    delivery: "Answers",
    deliveryStreamed: "as they are written",
    deliveryWhole: "when they are whole",
    pace: "Pace",
    paceFree: "as it comes",
    paceSteady: "steady",
    paceSlow: "slow, to read along",
    count: "Count my preferences, without my name",
    tour: "Show me what markdown can do",
    slow: "slow, please: I want to read along",
    long: "long text, to scroll through while it grows",
    hostile: "hostile: text that tries everything",
    code: "code: a long program",
    arabic: "RTL: a text from right to left",
    panelState: "Streams and containers",
    panelFigures: "Figures",
    panelTools: "Make it hard",
    badNetwork: "Make the network bad",
    badNetworkHint: "The socket is cut every few seconds. The text stays whole.",
    stress: "Eight answers at once",
    huge: "An answer of 1 MB",
    showHostile: "Hostile text",
    connectionState: "connection",
    rooms: "rooms",
    containers: "containers",
    outbox: "waiting to be sent",
    where: "message",
    offset: "offset",
    onScreen: "on screen",
    figureFirst: "time to first token",
    figureRate: "characters a second",
    figureCuts: "connections lost",
    figureLong: "longest task",
    none: "none yet",
    yes: "yes",
    no: "no",
  },
  "pt-BR": {
    skip: "Ir para a caixa de mensagem",
    menu: "Menu de conversas",
    conversations: "Conversas",
    messages: "Mensagens",
    newConversation: "Nova conversa",
    rename: "Renomear",
    renameTo: "Novo título",
    archive: "Arquivar",
    streaming: "uma resposta está sendo escrita",
    inside: "Por dentro",
    preferences: "Preferências",
    done: "Pronto",
    message: "Mensagem",
    ask: "Pergunte algo",
    provider: "Quem responde",
    anyProvider: "o padrão",
    send: "Enviar",
    stop: "Parar",
    down: "Voltar ao fim",
    welcomeTitle: "O que vai correr?",
    welcomeText: "A resposta vem desta máquina: sem chave, sem rede. Troque de conversa, recarregue, pare, corte a linha: nada se perde e nada vem duas vezes.",
    starting: "Iniciando…",
    connecting: "Conectando…",
    connected: "Conectado",
    lost: "Conexão perdida; nova tentativa em {seconds} s",
    closed: "Encerrado",
    notStarted: "Não iniciou",
    copy: "Copiar",
    copied: "Copiado",
    copyCode: "Copiar o código ({language})",
    notCopied: "O navegador não permitiu copiar",
    pause: "Pausar",
    resume: "Continuar",
    again: "Responder de novo",
    reasoning: "Raciocínio",
    you: "Você",
    answer: "Resposta",
    taskDone: "feito",
    taskOpen: "a fazer",
    tool: "Ferramenta: {name}",
    firstToken: "primeiro token em {ms} ms",
    rate: "{rate} caracteres/s",
    tokens: "{count} tokens",
    theme: "Tema",
    themeSystem: "o do sistema",
    themeLight: "claro",
    themeDark: "escuro",
    motion: "Movimento",
    motionSystem: "o do sistema",
    motionLess: "menos",
    language: "Idioma",
    delivery: "Respostas",
    deliveryStreamed: "enquanto são escritas",
    deliveryWhole: "quando estão inteiras",
    pace: "Ritmo",
    paceFree: "como vier",
    paceSteady: "constante",
    paceSlow: "devagar, para ler junto",
    count: "Contar minhas preferências, sem o meu nome",
    tour: "Mostre o que o markdown sabe fazer",
    slow: "slow: devagar, quero ler junto",
    long: "long: um texto longo, para rolar enquanto cresce",
    hostile: "hostile: um texto que tenta de tudo",
    code: "code: um programa longo",
    arabic: "RTL: um texto da direita para a esquerda",
    panelState: "Fluxos e contêineres",
    panelFigures: "Números",
    panelTools: "Dificulte",
    badNetwork: "Piorar a rede",
    badNetworkHint: "O soquete é cortado a cada poucos segundos. O texto fica inteiro.",
    stress: "Oito respostas ao mesmo tempo",
    huge: "Uma resposta de 1 MB",
    showHostile: "Texto hostil",
    connectionState: "conexão",
    rooms: "salas",
    containers: "contêineres",
    outbox: "à espera de envio",
    where: "mensagem",
    offset: "posição",
    onScreen: "na tela",
    figureFirst: "tempo até o primeiro token",
    figureRate: "caracteres por segundo",
    figureCuts: "conexões perdidas",
    figureLong: "tarefa mais longa",
    none: "nada ainda",
    yes: "sim",
    no: "não",
  },
};

/** What the client says under answers and on its buttons, and what the notice says, by code. In English they have words of their own, with the details. */
const NOTICES = {
  en: {},
  "pt-BR": {
    stopped: "Você parou a resposta.",
    restart: "A conexão com o modelo se perdeu quando o servidor reiniciou. O que chegou está aqui.",
    unread: "A resposta terminou porque ninguém estava lendo.",
    retry: "Tentar de novo",
    retry_after: "Tente de novo em {seconds} s.",
    rate_limited: "Muitos pedidos em pouco tempo.",
    unknown_provider: "Este servidor não conhece quem deveria responder. Escolha outro.",
    provider_auth: "O provedor recusou a chave. Quem cuida do servidor precisa conferi-la.",
    provider_rate_limited: "O provedor não aceita mais pedidos por enquanto.",
    provider_rejected: "O provedor recusou o pedido. Mude a mensagem ou escolha quem responde.",
    provider_failed: "O provedor falhou. O que chegou está aqui; tente de novo.",
    provider_unreachable: "O provedor não pôde ser alcançado. Tente de novo mais tarde.",
    provider_timeout: "O provedor ficou calado por muito tempo. Tente de novo.",
    provider_truncated: "A resposta se cortou no meio. O que chegou está aqui; tente de novo.",
    provider_malformed: "O provedor enviou algo que não se pode ler. Tente de novo.",
    shutting_down: "O servidor está reiniciando.",
    internal: "O servidor falhou. Tente de novo.",
    waiting: "Na fila: {provider} não aceita mais pedidos por enquanto.",
    asking_again: "{provider} não respondeu; nova tentativa em {seconds} s.",
    taking_up: "{provider} se interrompeu; a resposta continua em {seconds} s.",
    next_provider: "Quem respondia falhou. Perguntando a {provider}.",
    working: "Trabalhando nisso.",
    load_image: "Carregar a imagem de {host}",
    content_too_long: "A mensagem é longa demais.",
    content_empty: "Não há texto para enviar.",
    outbox_full: "Há mensagens demais à espera de envio. Espere a conexão voltar.",
    conversation_closed: "Esta conversa está arquivada.",
    unknown_conversation: "Esta conversa não existe mais.",
    unauthorized: "O servidor não deixa entrar: a chave de acesso falta ou está errada.",
    token_expired: "O acesso expirou. Recarregue a página.",
    token_revoked: "O acesso foi retirado.",
    forbidden: "Esta conversa é de outra pessoa.",
    too_many_joined: "Há conversas demais abertas ao mesmo tempo.",
    streaming_unavailable: "Sem ligação direta ao servidor: as respostas vêm inteiras, por HTTP.",
    wasm_blocked: "O navegador não deixa executar WebAssembly: o texto aparece sem formatação.",
    wasm_unavailable: "A parte que formata o texto não pôde ser carregada: ele aparece sem formatação.",
    wasm_mismatch: "A parte que formata o texto é de outra versão: ele aparece sem formatação.",
    wasm_panicked: "A parte que formata o texto falhou: ele aparece sem formatação.",
  },
};

let language = "en";

/** Says a key in the language of the moment; `{name}` in it takes `values.name`. */
export function t(key, values = {}) {
  return STRINGS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** What the client says under answers, in the language of the moment. */
export function words() {
  return NOTICES[language];
}

/** What went wrong, as an event or an error says it, in the language of the moment. */
export function wrong({ code, message }) {
  return NOTICES[language][code] ?? message;
}

/** The language that fits the reader's own list best. */
export function preferredLanguage() {
  const wished = navigator.languages.find((tag) => /^(en|pt)\b/i.test(tag)) ?? "en";
  return /^pt/i.test(wished) ? "pt-BR" : "en";
}

/** Changes the language of the whole page: what stands in the markup, and what is drawn from now on. */
export function setLanguage(tag) {
  language = tag in STRINGS ? tag : "en";
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-say]")) {
    element.textContent = t(element.dataset.say);
  }
  for (const element of document.querySelectorAll("[data-say-label]")) {
    element.setAttribute("aria-label", t(element.dataset.sayLabel));
  }
  for (const element of document.querySelectorAll("[data-say-placeholder]")) {
    element.setAttribute("placeholder", t(element.dataset.sayPlaceholder));
  }
}

/** Seconds, counts and rates as the language writes them. */
export function number(value) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(value);
}
