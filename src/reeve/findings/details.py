"""One finding with all that it rests on: where the object is, why it was judged so, and how it is mended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reeve.collect.provider import console_host
from reeve.evaluate.citations import Citations, Origin, Origins
from reeve.evaluate.evidence import evidence_of
from reeve.evaluate.interpreter import Program
from reeve.evaluate.needs import needs
from reeve.evaluate.objects import Snapshot, record_of
from reeve.evaluate.observed import ObservedProgram
from reeve.evaluate.outcomes import Judgement
from reeve.findings.remedies import Remedy, Subject, guilty_children, reads_guilty, remedy_of
from reeve.findings.results import Finding
from reeve.inventory.manifest import Manifest
from reeve.inventory.places import console_of
from reeve.inventory.records import Record
from reeve.language.evaluation import Moment, Row
from reeve.model import Place, Status
from reeve.repository.remedies import Remedies
from reeve.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Details:
    """Makes the findings of one policy.

    `reads` are the names that it reads of an object, `hosts` where the consoles of the accounts are, by account.
    """

    snapshot: Snapshot
    observed: ObservedProgram
    citations: Citations
    remedies: Remedies
    reads: frozenset[str]
    hosts: Mapping[str, str | None]

    @classmethod
    def of(
        cls, repository: Repository, policy_id: str, program: Program, snapshot: Snapshot, hosts: Mapping[str, str | None]
    ) -> "Details":
        """Prepare what is the same for all findings of a policy.

        Raises:
            InvalidRepositoryError: its remedies have errors.
        """
        own = program.body.object_type.id
        return cls(
            snapshot,
            ObservedProgram.of(program.body),
            Citations(repository.object_type, lambda row: None),
            repository.remedies(policy_id, program.body),
            needs([program], repository.object_type).get(own, frozenset()),
            hosts,
        )

    def finding(self, judgement: Judgement, record: Record, row: Row) -> Finding:
        """Return the finding on an object that was judged; what is INCOMPLIANT or UNDETERMINED has its evidence."""
        program, moment = self.observed.program, self.snapshot.moment
        own = program.body.object_type
        place = self.snapshot.manifest.part(record.account).place(own, record.region, record.arn)
        meaning, error, evidence, remedy = program.meanings[judgement.code], None, None, None
        if meaning.status in (Status.INCOMPLIANT, Status.UNDETERMINED):
            watched = self.observed.observe(row, moment)
            if watched.outcome.code == judgement.code:  # else another version of Reeve judged: it knows why
                meaning, error = watched.meaning, watched.outcome.runtime_error
                evidence = evidence_of(self.observed, watched, replace(self.citations, origin=origins(record, row)))
                remedy = self._remedy(judgement, place, row, moment)
        missing = {name: why for name, why in record.not_collected.items() if name in self.reads}
        console = console_of(own, record.fields, place, self.hosts[place.account])
        known = (judgement.id, judgement.name, place, console)
        return Finding(*known, meaning, error, record.as_of, record.source, missing, evidence, remedy)

    def _remedy(self, judgement: Judgement, place: Place, row: Row, moment: Moment) -> Remedy | None:
        program = self.observed.program
        guilty = guilty_children(program, row, moment) if reads_guilty(self.remedies, judgement.code) else {}
        tables = self.snapshot.manifest.tables
        subject = Subject(row, program.body.object_type, place, judgement.id, judgement.name, guilty, tables)
        return remedy_of(self.remedies, judgement.code, subject, moment)


def hosts_of(manifest: Manifest) -> dict[str, str | None]:
    """Return the hosts of the consoles of a snapshot's accounts, by account; None where none is known."""
    return {part.account: console_host(part.provider, part.partition) for part in manifest.parts}


def origins(own: Record, of: Row) -> Origins:
    """Return what gives the origins of a snapshot's objects: of the one that is judged, and of those that it leads to."""

    def origin(row: Row) -> Origin | None:
        record = own if row is of else record_of(row)
        return Origin.of(record.source, record.account, record.region, record.arn) if record else None

    return origin
