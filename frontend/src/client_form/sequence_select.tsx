import { useQuery } from "@tanstack/react-query";
import { api, read, type Schemas } from "@/api/client";
import { text } from "@/text/client_fields";
import { Select } from "@/ui/field";

/** The sequences that a plan can be made of. */
export function useSequences() {
  return useQuery({
    queryKey: ["sequences"],
    queryFn: () => read(api.GET("/api/sequences")),
  });
}

interface SequenceSelectProps {
  /** The stage of who is to be given it, which suggests one; without it one has to be chosen. */
  stage?: Schemas["Stage"];
  value: string;
  onChange(name: string): void;
  error: string | undefined;
}

/** A choice of sequence by name, with its steps; "" is the one that the stage suggests. */
export function SequenceSelect({ stage, value, onChange, error }: SequenceSelectProps) {
  const all = useSequences().data ?? [];
  // A client whose deal has ended is given only what is meant for that.
  const isEnded = stage === "closed" || stage === "lost";
  const fitting = all.filter(({ stages }) => !isEnded || stages.includes(stage));
  const suggested = all.find(({ stages }) => stage && stages.includes(stage));
  const chosen = value ? all.find(({ name }) => name === value) : suggested;
  return (
    <Select
      label={text.sequence}
      value={value}
      error={error}
      hint={chosen && text.sequenceSteps(chosen.steps.map(({ name }) => name))}
      options={[
        ["", stage ? text.suggested(suggested?.name) : text.choosePlan],
        ...fitting.map(({ name }) => [name, name] as const),
      ]}
      onChange={({ target }) => onChange(target.value)}
    />
  );
}
