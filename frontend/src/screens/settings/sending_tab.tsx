import { useForm, useWatch } from "react-hook-form";
import type { Schemas } from "@/api/client";
import { text } from "@/text/settings";
import { Select } from "@/ui/field";
import { ZoneField } from "@/ui/zone_field";
import { times, USUAL, WEEK } from "./hours";
import { type StoredProfile, useSaveProfile } from "./profile";
import { ProfileForm, ProfilePart } from "./profile_form";

const DAYS = "sending_hours.days";
const SHOWN = ["time_zone", "sending_hours.start", "sending_hours.end", DAYS];
const REVIEWS = Object.entries(text.reviews) as [Schemas["Review"], string][];

/** When letters leave, and whether without the agent. */
export function SendingTab() {
  return (
    <ProfilePart title={text.hoursTitle}>
      {(stored, onReload) => <Sending stored={stored} onReload={onReload} />}
    </ProfilePart>
  );
}

function Sending({ stored, onReload }: { stored: StoredProfile; onReload(): void }) {
  const { profile } = stored;
  const hours = profile.sending_hours ?? USUAL;
  const { register, getValues, control } = useForm({
    defaultValues: {
      time_zone: profile.time_zone,
      review: profile.review ?? ("automatic" as const),
      whose: profile.sending_hours ? "own" : "office",
      days: [...hours.days],
      start: hours.start,
      end: hours.end,
    },
  });
  const isOwn = useWatch({ control, name: "whose" }) === "own";
  const submission = useSaveProfile(stored.tag, () => {
    const { time_zone, review, whose, days, start, end } = getValues();
    return {
      time_zone,
      review,
      sending_hours: whose === "own" ? { days, start, end } : null,
    };
  });
  const { fields } = submission;
  return (
    <ProfileForm submission={submission} shown={SHOWN} onReload={onReload}>
      <div className="grid max-w-xl gap-6">
        <ZoneField
          label={text.zone}
          hint={text.zoneHint}
          error={fields.get("time_zone")}
          {...register("time_zone")}
        />
        <fieldset className="grid gap-1 text-sm">
          <legend className="mb-1 font-medium">{text.hours}</legend>
          <label className="flex min-h-7 items-center gap-2">
            <input type="radio" value="office" {...register("whose")} />
            {text.officeHours}
          </label>
          <label className="flex min-h-7 items-center gap-2">
            <input type="radio" value="own" {...register("whose")} />
            {text.ownHours}
          </label>
          {isOwn && (
            <div className="mt-2 grid gap-3 rounded-box border border-line p-3">
              <fieldset className="flex flex-wrap gap-x-4 gap-y-1">
                <legend className="mb-1 font-medium">{text.days}</legend>
                {WEEK.map((day) => (
                  <label key={day} className="flex min-h-7 items-center gap-1.5">
                    <input type="checkbox" value={day} {...register("days")} />
                    {text.weekdays[day]}
                  </label>
                ))}
                {fields.has(DAYS) && (
                  <p role="alert" className="w-full text-bad">
                    {text.noDays}
                  </p>
                )}
              </fieldset>
              <div className="grid grid-cols-2 gap-3">
                <Select
                  label={text.start}
                  error={fields.get("sending_hours.start")}
                  options={times(hours.start).map((time) => [time, time])}
                  {...register("start")}
                />
                <Select
                  label={text.end}
                  error={fields.get("sending_hours.end")}
                  options={times(hours.end).map((time) => [time, time])}
                  {...register("end")}
                />
              </div>
              <p className="text-soft">{text.hoursHint}</p>
            </div>
          )}
        </fieldset>
        <fieldset className="grid gap-1 text-sm">
          <legend className="mb-1 font-medium">{text.review}</legend>
          {REVIEWS.map(([value, words]) => (
            <label key={value} className="flex min-h-7 items-center gap-2">
              <input type="radio" value={value} {...register("review")} />
              {words}
            </label>
          ))}
        </fieldset>
      </div>
    </ProfileForm>
  );
}
