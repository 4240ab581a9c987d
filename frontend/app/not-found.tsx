import { text } from "@/text/not_found";

export default function NotFound() {
  return (
    <main className="mx-auto grid min-h-dvh max-w-prose content-center gap-4 px-4">
      <h1 className="text-2xl font-semibold">{text.title}</h1>
      <p>{text.hint}</p>
      <a href="/" className="text-accent underline">
        {text.home}
      </a>
    </main>
  );
}
