import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { api, read, type Schemas, written } from "@/api/client";
import { names } from "@/text/common";
import { text } from "@/text/settings";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Loaded } from "@/ui/loaded";
import { Badge, Panel } from "@/ui/parts";

type Plan = Schemas["SequenceView"];

const PlanEditor = lazy(() =>
  import("./plan_editor").then(({ PlanEditor }) => ({ default: PlanEditor })),
);

/** The plans that clients can be given: the agent's own ones, to be changed, and the built-in ones. */
export function PlansTab() {
  const query = useQuery({
    queryKey: ["sequences", "list"],
    queryFn: () => read(api.GET("/api/sequences")),
  });
  // null is a new plan; one without an id, a copy.
  const [edited, setEdited] = useState<Plan | null>();
  const [deleted, setDeleted] = useState<Plan>();
  return (
    <Panel
      title={text.plansTitle}
      aside={
        <Button look="main" onClick={() => setEdited(null)}>
          {text.newPlan}
        </Button>
      }
    >
      <p className="mb-3 max-w-prose text-sm text-soft">{text.plansHint}</p>
      <Loaded query={query}>
        {(plans) => (
          <ul className="divide-y divide-line border-t border-line">
            {plans.map((plan) => (
              <li key={plan.sequence_id ?? plan.name} className="flex flex-wrap gap-3 py-3">
                <PlanSummary plan={plan} />
                <div className="flex flex-wrap items-start gap-2">
                  {plan.sequence_id && (
                    <Button onClick={() => setEdited(plan)}>
                      {text.change} <Of plan={plan} />
                    </Button>
                  )}
                  <Button
                    onClick={() =>
                      setEdited({ ...plan, name: text.copyOf(plan.name), sequence_id: null })
                    }
                  >
                    {text.copy} <Of plan={plan} />
                  </Button>
                  {plan.sequence_id && (
                    <Button look="danger" onClick={() => setDeleted(plan)}>
                      {text.remove} <Of plan={plan} />
                    </Button>
                  )}
                </div>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      <Suspense>
        {edited !== undefined && <PlanEditor plan={edited} onClose={() => setEdited(undefined)} />}
      </Suspense>
      {deleted && <DeletePlan plan={deleted} onClose={() => setDeleted(undefined)} />}
    </Panel>
  );
}

function Of({ plan }: { plan: Plan }) {
  return <span className="sr-only">{plan.name}</span>;
}

function PlanSummary({ plan }: { plan: Plan }) {
  const stages = plan.stages.map((stage) => names.stage[stage]).join(", ");
  return (
    <div className="min-w-0 flex-1 basis-72">
      <h3 className="flex flex-wrap items-center gap-2 font-medium">
        {plan.name}
        {!plan.sequence_id && <Badge>{text.builtIn}</Badge>}
      </h3>
      <p className="text-sm text-soft">{stages ? text.offered(stages) : text.notOffered}</p>
      <details className="mt-1 text-sm">
        <summary className="inline-block min-h-6 text-accent">
          {text.steps(plan.steps.length)}
        </summary>
        <ol className="mt-1 grid gap-1">
          {plan.steps.map((step) => (
            <li key={`${step.years} ${step.days} ${step.name}`}>
              <span className="font-medium">{step.name}</span>{" "}
              <span className="text-soft">
                {text.when(step.years, step.days)}
                {step.goal && `: ${step.goal}`}
              </span>
            </li>
          ))}
        </ol>
      </details>
    </div>
  );
}

function DeletePlan({ plan, onClose }: { plan: Plan; onClose(): void }) {
  const params = { path: { sequence_id: plan.sequence_id ?? "" } };
  return (
    <Confirm
      title={text.deletePlan(plan.name)}
      label={text.remove}
      isDanger
      act={() => written(api.DELETE("/api/sequences/{sequence_id}", { params }))}
      done={text.planDeleted}
      onClose={onClose}
    >
      {text.deletePlanHint}
    </Confirm>
  );
}
