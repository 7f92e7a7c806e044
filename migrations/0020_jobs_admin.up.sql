-- The organization of a job is its group. Jobs from before carry it in their payload alone.
update pgboss.job set group_id = data #>> '{payload,organizationId}'
where group_id is null and data #>> '{payload,organizationId}' is not null;

-- One index serves the lists: of each name and state the newest first, then merged. It leaves out the service's own jobs.
create index job_common_organization on pgboss.job_common (group_id, name, state, created_on, id)
  where group_id is not null;
-- Dead letters, by the job that died and by whether somebody was told: started_on says when.
create index job_common_source on pgboss.job_common (source_id) where source_id is not null;
create index job_common_untold on pgboss.job_common (created_on) where source_id is not null and started_on is null;
