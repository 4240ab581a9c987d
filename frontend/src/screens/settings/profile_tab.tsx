import { useForm } from "react-hook-form";
import { text } from "@/text/settings";
import { TextField } from "@/ui/field";
import { orNull, type StoredProfile, useSaveProfile } from "./profile";
import { ProfileForm, ProfilePart } from "./profile_form";

const SHOWN = ["name", "title", "company", "phone", "email", "reply_to", "website", "language"];

/** What clients see of the agent. */
export function ProfileTab() {
  return (
    <ProfilePart title={text.profileTitle}>
      {(stored, onReload) => <Profile stored={stored} onReload={onReload} />}
    </ProfilePart>
  );
}

function Profile({ stored, onReload }: { stored: StoredProfile; onReload(): void }) {
  const { profile } = stored;
  const { register, getValues } = useForm({
    defaultValues: {
      name: profile.name,
      email: profile.email,
      title: profile.title ?? "",
      company: profile.company ?? "",
      phone: profile.phone ?? "",
      reply_to: profile.reply_to ?? "",
      website: profile.website ?? "",
      language: profile.language ?? "",
    },
  });
  const submission = useSaveProfile(stored.tag, () => {
    const { name, email, ...rest } = getValues();
    return {
      name,
      email,
      title: orNull(rest.title),
      company: orNull(rest.company),
      phone: orNull(rest.phone),
      reply_to: orNull(rest.reply_to),
      website: orNull(rest.website),
      language: orNull(rest.language),
    };
  });
  const { fields } = submission;
  return (
    <ProfileForm submission={submission} shown={SHOWN} onReload={onReload}>
      <div className="grid max-w-3xl gap-4 sm:grid-cols-2">
        <TextField
          label={text.name}
          error={fields.get("name")}
          autoComplete="name"
          required
          {...register("name")}
        />
        <TextField
          label={text.jobTitle}
          hint={text.jobTitleHint}
          error={fields.get("title")}
          autoComplete="organization-title"
          {...register("title")}
        />
        <TextField
          label={text.company}
          error={fields.get("company")}
          autoComplete="organization"
          {...register("company")}
        />
        <TextField
          label={text.phone}
          error={fields.get("phone")}
          type="tel"
          autoComplete="tel"
          {...register("phone")}
        />
        <TextField
          label={text.email}
          error={fields.get("email")}
          type="email"
          autoComplete="email"
          required
          {...register("email")}
        />
        <TextField
          label={text.replyTo}
          hint={text.replyToHint}
          error={fields.get("reply_to")}
          type="email"
          {...register("reply_to")}
        />
        <TextField
          label={text.website}
          hint={text.websiteHint}
          error={fields.get("website")}
          type="url"
          autoComplete="url"
          {...register("website")}
        />
        <TextField
          label={text.language}
          hint={text.languageHint}
          error={fields.get("language")}
          {...register("language")}
        />
      </div>
    </ProfileForm>
  );
}
