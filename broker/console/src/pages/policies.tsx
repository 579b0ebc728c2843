// Policies in the order in which they are asked.
// Limits: none of its own.
import { count } from '../format';
import { usePoll } from '../polling';
import type { Policy } from '../types';
import { Empty, Facts, Loading, Panel, Refusal } from '../ui/parts';

export function Policies() {
  const { data, error, reload } = usePoll<{ items: Policy[] }>('/policies', 10_000);
  if (!data) return error && error.status !== 0 ? <Refusal problem={error} onRetry={reload} /> : <Loading />;
  return (
    <>
      <div class="page-head">
        <h1>Policies</h1>
        <span class="muted">{data.items.length > 0 && 'the first that matches decides'}</span>
      </div>
      {data.items.length === 0 && (
        <Panel>
          <Empty icon="policies" title="There are no policies">
            A <code>[[policy]]</code> in the configuration file sets bounds, life, dead letters and durability by name.
          </Empty>
        </Panel>
      )}
      {data.items.map((policy, i) => (
        <Panel
          key={policy.name + policy.match}
          label={policy.name || policy.match}
          title={
            <>
              <span class="muted">{count(i + 1)}</span> <span class="mono">{policy.match}</span>
            </>
          }
          aside={
            <span class="muted">
              {policy.name && policy.name !== policy.match && `${policy.name} · `}
              {policy.origin}
            </span>
          }
        >
          <Facts rows={Object.entries(policy.settings)} />
        </Panel>
      ))}
    </>
  );
}
