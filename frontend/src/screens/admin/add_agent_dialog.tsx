import { useForm } from "react-hook-form";
import { api, type Schemas } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/admin";
import { Dialog } from "@/ui/dialog";
import { Select, TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { ZoneField } from "@/ui/zone_field";

const SHOWN = ["email", "name", "password", "role", "time_zone"];

/** Add an agent, also where registration is closed. */
export function AddAgentDialog({ onClose }: { onClose(): void }) {
  const zone = useZone();
  const { register, getValues } = useForm({
    defaultValues: {
      name: "",
      email: "",
      password: "",
      role: "agent" as Schemas["Role"],
      time_zone: zone,
    },
  });
  const submission = useSubmit(() => api.POST("/api/admin/agents", { body: getValues() }), {
    done: text.agentAdded,
    onDone: onClose,
  });
  const { fields } = submission;
  return (
    <Dialog title={text.addAgent} isOpen onClose={onClose}>
      <Form submission={submission} label={text.add} shown={SHOWN} onCancel={onClose}>
        <TextField
          label={text.name}
          hint={text.nameHint}
          error={fields.get("name")}
          autoComplete="off"
          required
          {...register("name")}
        />
        <TextField
          label={text.email}
          error={fields.get("email")}
          type="email"
          autoComplete="off"
          required
          {...register("email")}
        />
        <TextField
          label={text.password}
          hint={text.passwordHint}
          error={fields.get("password")}
          type="password"
          autoComplete="new-password"
          required
          {...register("password")}
        />
        <Select
          label={text.role}
          error={fields.get("role")}
          options={Object.entries(text.roles)}
          {...register("role")}
        />
        <ZoneField label={text.zone} error={fields.get("time_zone")} {...register("time_zone")} />
      </Form>
    </Dialog>
  );
}
