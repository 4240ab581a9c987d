import { text } from "@/text/not_found";

export default function NotFoundScreen() {
  return (
    <>
      <h1 className="text-2xl font-semibold">{text.title}</h1>
      <p>{text.hint}</p>
      <a href="/" className="text-accent underline">
        {text.home}
      </a>
    </>
  );
}
