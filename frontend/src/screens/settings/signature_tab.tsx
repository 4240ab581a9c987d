import { useForm, useWatch } from "react-hook-form";
import { text } from "@/text/settings";
import { TextArea } from "@/ui/field";
import { endingOf } from "./ending";
import { orNull, type StoredProfile, useSaveProfile } from "./profile";
import { ProfileForm, ProfilePart } from "./profile_form";

const SHOWN = ["signature", "disclosure", "postal_address"];

/** How letters end, beside how that looks. */
export function SignatureTab() {
  return (
    <ProfilePart title={text.signatureTitle}>
      {(stored, onReload) => <Signature stored={stored} onReload={onReload} />}
    </ProfilePart>
  );
}

function Signature({ stored, onReload }: { stored: StoredProfile; onReload(): void }) {
  const { profile } = stored;
  const { register, getValues, control } = useForm({
    defaultValues: {
      signature: profile.signature ?? "",
      disclosure: profile.disclosure ?? "",
      postal_address: profile.postal_address ?? "",
    },
  });
  const typed = useWatch({ control });
  const submission = useSaveProfile(stored.tag, () => {
    const { signature, disclosure, postal_address } = getValues();
    return {
      signature: orNull(signature),
      disclosure: orNull(disclosure),
      postal_address: orNull(postal_address),
    };
  });
  const { fields } = submission;
  return (
    <div className="grid grid-cols-1 gap-6 lg:grid-cols-2">
      <ProfileForm submission={submission} shown={SHOWN} onReload={onReload}>
        <TextArea
          label={text.signature}
          hint={text.signatureHint}
          error={fields.get("signature")}
          rows={5}
          {...register("signature")}
        />
        <TextArea
          label={text.disclosure}
          hint={text.disclosureHint}
          error={fields.get("disclosure")}
          rows={2}
          {...register("disclosure")}
        />
        <TextArea
          label={text.postal}
          hint={text.postalHint}
          error={fields.get("postal_address")}
          rows={2}
          {...register("postal_address")}
        />
      </ProfileForm>
      <section aria-label={text.preview} className="grid content-start gap-1">
        <h3 className="text-sm font-medium">{text.preview}</h3>
        <div className="grid gap-3 rounded-box border border-line bg-canvas p-4 text-sm whitespace-pre-line">
          <p className="text-soft">{text.previewBefore}</p>
          {endingOf({ ...profile, ...typed }).map((paragraph, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: paragraphs have no other name.
            <p key={index}>{paragraph}</p>
          ))}
          <p className="text-accent underline">{text.previewOptOut}</p>
        </div>
      </section>
    </div>
  );
}
