"""What is submitted to: organisms, their metadata fields, and the rules of their file categories over time."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

RESERVED_SLUGS = frozenset(
    {"auth", "docs", "entries", "files", "groups", "me", "organisms", "schema", "submissions", "tokens"}
)
"""First words of the API's own paths, which an organism's slug would hide."""


def check_slug_not_reserved(slug: str) -> None:
    """Refuse a slug that is one of the API's own first words."""
    if slug in RESERVED_SLUGS:
        message = f"“{slug}” is a word of the API's own paths (/api/{slug}); choose another slug."
        raise ValidationError(message, code="slug_reserved")


class Organism(models.Model):
    """What is submitted to; its slug stands in every path (`/organisms/<slug>/submit`)."""

    class Sequences(models.TextChoices):
        REQUIRED = "REQUIRED", "Required"
        OPTIONAL = "OPTIONAL", "Optional"
        FORBIDDEN = "FORBIDDEN", "Forbidden"

    slug = models.SlugField(
        max_length=80,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Use lower-case letters, digits and single hyphens."),
            check_slug_not_reserved,
        ],
        help_text="Stands in addresses, e.g. “ebola-sudan”. Changing it breaks the scripts of submitters.",
    )
    name = models.CharField(max_length=200, help_text="As people read it, e.g. “Ebola Sudan”.")
    sequences = models.CharField(
        max_length=10,
        choices=Sequences,
        default=Sequences.REQUIRED,
        help_text="Whether a submission must, may or must not contain sequences.",
    )
    file_sharing = models.BooleanField(
        default=False, help_text="Whether extra files can be handed in alongside the sequences."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # Whether sequences are wanted is one of three words.
            models.CheckConstraint(
                condition=Q(sequences__in=["REQUIRED", "OPTIONAL", "FORBIDDEN"]),
                name="organism_sequences_known",
            ),
            # No slug hides one of the API's own paths.
            models.CheckConstraint(condition=~Q(slug__in=sorted(RESERVED_SLUGS)), name="organism_slug_not_reserved"),
        ]

    def __str__(self) -> str:
        return self.name


class MetadataField(models.Model):
    """One column of an organism's metadata: it makes the form, the TSV template and the checks."""

    class Kind(models.TextChoices):
        TEXT = "TEXT", "Text"
        DATE = "DATE", "Date"
        NUMBER = "NUMBER", "Number"
        CHOICE = "CHOICE", "Choice"

    organism = models.ForeignKey(Organism, on_delete=models.CASCADE, related_name="metadata_fields")
    name = models.CharField(
        max_length=80,
        validators=[RegexValidator(r"^[A-Za-z][A-Za-z0-9_]*\Z", "Use letters, digits and underscores.")],
        help_text="The column's name in the metadata table.",
    )
    shown_name = models.CharField(max_length=200, help_text="As people read it in the form.")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    choices = models.JSONField(
        default=list,
        blank=True,
        help_text='For a choice: the list of allowed values, e.g. ["blood", "serum"].',
    )
    required = models.BooleanField(default=False)
    help_text = models.CharField(max_length=500, blank=True)
    order = models.PositiveIntegerField(default=0, help_text="Fields with smaller numbers come first.")

    class Meta:
        constraints = [
            # One field of a name in an organism.
            models.UniqueConstraint(fields=["organism", "name"], name="metadata_field_name_unique"),
            # A field's kind is one of four words.
            models.CheckConstraint(
                condition=Q(kind__in=["TEXT", "DATE", "NUMBER", "CHOICE"]), name="metadata_field_kind_known"
            ),
            # A choice has something to choose from, and nothing else has.
            models.CheckConstraint(
                condition=(Q(kind="CHOICE") & ~Q(choices=[])) | (~Q(kind="CHOICE") & Q(choices=[])),
                name="metadata_field_choices_for_choice_only",
            ),
            # The names that the table uses itself are not metadata.
            models.CheckConstraint(
                condition=~Q(name__in=["id", "submissionId", "fastaIds", "accession"]),
                name="metadata_field_name_not_reserved",
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name

    def clean(self) -> None:
        """Say in words what the constraints say, and that choices are different, non-empty texts."""
        if self.name in {"id", "submissionId", "fastaIds", "accession"}:
            raise ValidationError({"name": f"“{self.name}” is a column that every metadata table uses itself."})
        if not isinstance(self.choices, list) or not all(isinstance(c, str) and c for c in self.choices):
            raise ValidationError({"choices": 'Give a list of texts, e.g. ["blood", "serum"].'})
        if len(set(self.choices)) != len(self.choices):
            raise ValidationError({"choices": "One value stands twice in the list."})
        if (self.kind == self.Kind.CHOICE) != bool(self.choices):
            raise ValidationError({"choices": "A choice needs values to choose from, and only a choice has them."})


class RuleSet(models.Model):
    """The rules of an organism's file categories as they stood at one time; written once, never changed.

    An entry is verified and accepted under the rule set that stood when its files were submitted, so a change in
    the admin touches what is submitted afterwards and nothing else.
    """

    organism = models.ForeignKey(Organism, on_delete=models.CASCADE, related_name="rule_sets")
    digest = models.CharField(max_length=64, help_text="sha256 of the categories as canonical JSON.")
    categories = models.JSONField(help_text="Of each file category its name and its rules, in order.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # The same rules of an organism are one rule set.
            models.UniqueConstraint(fields=["organism", "digest"], name="rule_set_unique"),
        ]

    def __str__(self) -> str:
        return f"Rules of {self.organism_id} as of {self.recorded_at:%Y-%m-%d %H:%M}"
