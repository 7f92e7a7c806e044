drop index pgboss.job_common_untold;
drop index pgboss.job_common_source;
drop index pgboss.job_common_organization;
