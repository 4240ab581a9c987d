import { useZone } from "@/shell/me";
import { text } from "@/text/followup";
import { departure, fromInput, zoneName } from "@/time/zone";
import { TextField } from "@/ui/field";

interface DepartureFieldProps {
  /** As the input has it: a time of the agent's zone. */
  value: string;
  onChange(value: string): void;
  error: string | undefined;
}

/** When a follow-up is to leave: a time in the agent's zone, which it names, and what that means. */
export function DepartureField({ value, onChange, error }: DepartureFieldProps) {
  const zone = useZone();
  const instant = fromInput(value, zone);
  return (
    <TextField
      type="datetime-local"
      label={text.when(zone.replaceAll("_", " "), zoneName(zone, instant ?? undefined))}
      value={value}
      error={error}
      hint={
        <span role="status">{instant ? text.leaves(departure(instant, zone)) : text.noTime}</span>
      }
      onChange={({ target }) => onChange(target.value)}
    />
  );
}
